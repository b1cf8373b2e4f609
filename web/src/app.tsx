import { QueryClientProvider, type QueryClient } from "@tanstack/react-query";
import { BrowserRouter, Route, Routes } from "react-router";
import { WagmiProvider, type Config } from "wagmi";
import { Layout } from "@/components/layout/layout";
import type { Configuration } from "@/config";
import { ConfigurationContext } from "@/lib/configuration";
import { PAGES } from "@/pages";

export function App({
  configuration, wallet, queries,
}: { configuration: Configuration; wallet: Config; queries: QueryClient }) {
  return (
    <ConfigurationContext value={configuration}>
      <WagmiProvider config={wallet}>
        <QueryClientProvider client={queries}>
          <BrowserRouter>
            <Routes>
              <Route element={<Layout />}>
                {PAGES.map(({ path, component: Component }) => <Route key={path} path={path} element={<Component />} />)}
              </Route>
            </Routes>
          </BrowserRouter>
        </QueryClientProvider>
      </WagmiProvider>
    </ConfigurationContext>
  );
}
