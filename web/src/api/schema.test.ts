import { readFile } from "node:fs/promises";
import openapiTS, { astToString, COMMENT_HEADER } from "openapi-typescript";
import { expect, it } from "vitest";

it("is what the OpenAPI document says; `npm run client` writes it again", async () => {
  const document = new URL("../../../docs/openapi.json", import.meta.url);
  const generated = COMMENT_HEADER + astToString(await openapiTS(document));
  expect(await readFile(new URL("./schema.d.ts", import.meta.url), "utf8")).toBe(generated);
}, 30_000);
