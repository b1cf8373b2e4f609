"use client";

import { SlipwayError, type types } from "@slipway/client";
import Link from "next/link";
import { useEffect, useState } from "react";
import { isSignedIn, slipway } from "@/lib/slipway";

type Models = types.ModelView[];

/** Sign in, see the models that are yours, launch the token of one, and follow it. */
export default function Page() {
  const [models, setModels] = useState<Models>();
  const [states, setStates] = useState<Record<string, string>>({});
  const [problem, setProblem] = useState("");

  async function act(task: () => Promise<void>) {
    setProblem("");
    try {
      await task();
    } catch (error) {
      setProblem(error instanceof SlipwayError ? `${error.code}: ${error.message}` : String((error as Error).message ?? error));
    }
  }

  async function load() {
    const found: Models = [];
    for await (const model of slipway().models.list()) found.push(model);
    setModels(found);
  }

  useEffect(() => {
    // A reload, or another tab, has the session still.
    if (isSignedIn()) void act(load);
  }, []);

  const signIn = () => act(async () => {
    await slipway().signIn();
    await load();
  });

  const signOut = () => act(async () => {
    setModels(undefined);
    await slipway().signOut();
  });

  const launch = (modelId: string) => act(async () => {
    const show = (state: string) => setStates((before) => ({ ...before, [modelId]: state }));
    show("asking");
    try {
      const accepted = await slipway().launchToken(modelId, { initial_supply: "1000000", max_supply: "2000000" });
      const last = await slipway().follow(accepted, { onChange: ({ status }) => show(status) });
      if (last.status === "failed" && last.kind === "token") setProblem(`${last.error?.code}: ${last.error?.message}`);
    } catch (error) {
      show("");
      throw error;
    }
    await load();
  });

  return (
    <>
      <h1>Launch a token</h1>
      {problem && <p role="alert">{problem}</p>}
      {models === undefined ? (
        <button type="button" onClick={signIn}>Sign in with Ethereum</button>
      ) : (
        <>
          <button type="button" onClick={signOut}>Sign out</button>
          <h2>Your models</h2>
          {models.length === 0 && <p>None is registered for this wallet.</p>}
          <ul>
            {models.map(({ model_id, token, refusals }) => (
              <li key={model_id}>
                <span>{model_id}</span>
                {token ? (
                  <Link href={`/tokens/${token.address}`}>{token.symbol}</Link>
                ) : states[model_id] ? (
                  <span role="status">{states[model_id]}</span>
                ) : (
                  <button type="button" disabled={refusals.length > 0} title={refusals[0]?.message} onClick={() => launch(model_id)}>
                    Launch
                  </button>
                )}
              </li>
            ))}
          </ul>
        </>
      )}
    </>
  );
}
