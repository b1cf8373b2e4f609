import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { setApiAddress } from "@/api/client";
import { createQueryClient } from "@/api/query-client";
import { App } from "@/app";
import { ErrorAlert } from "@/components/error-alert";
import { loadConfiguration } from "@/config";
import { prefetchDeployments } from "@/deployments/queries";
import { loadDashboard } from "@/pages";
import { createWallet } from "@/wallet/wagmi";
import "./index.css";

const root = createRoot(document.getElementById("root") as HTMLElement);

/** Start. Not awaited here: what is loaded on the way imports this very file, and would wait for its end. */
async function start(): Promise<void> {
  try {
    const queries = createQueryClient();
    if (location.pathname === "/") void loadDashboard();
    const configuration = await loadConfiguration();
    setApiAddress(configuration.api);
    if (location.pathname === "/") prefetchDeployments(queries);
    const wallet = await createWallet(configuration);
    root.render(
      <StrictMode>
        <App configuration={configuration} wallet={wallet} queries={queries} />
      </StrictMode>,
    );
  } catch (error) {
    root.render(
      <main className="mx-auto max-w-xl p-6">
        <h1 className="mb-4 text-2xl font-semibold">Slipway</h1>
        <ErrorAlert error={error} title="The dashboard can't start" onRetry={() => location.reload()} />
      </main>,
    );
  }
}

void start();
