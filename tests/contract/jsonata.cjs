// Evaluates expressions with the reference implementation, which AWS's own follows. Reads [[expression, bindings]], writes
// [{"value"} or {"missing": true} or {"error"}]. A sequence is an array, as Step Functions has it.
const jsonata = require("jsonata");

async function evaluate([text, bindings]) {
  try {
    const value = await jsonata(text).evaluate(null, bindings);
    return value === undefined ? { missing: true } : { value: Array.isArray(value) ? [...value] : value };
  } catch (error) {
    return { error: error.code ?? String(error) };
  }
}

async function main() {
  let text = "";
  for await (const part of process.stdin) text += part;
  process.stdout.write(JSON.stringify(await Promise.all(JSON.parse(text).map(evaluate))));
}

main();
