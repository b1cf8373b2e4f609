import { createContext, useContext } from "react";
import type { Configuration } from "@/config";

export const ConfigurationContext = createContext<Configuration | null>(null);

/** Where the API and the chain are. */
export function useConfiguration(): Configuration {
  const configuration = useContext(ConfigurationContext);
  if (!configuration) throw new Error("outside of ConfigurationContext");
  return configuration;
}
