import { walletConnect } from "wagmi/connectors";

/** WalletConnect without its own dialog: the page shows the code itself. */
export function connector(projectId: string) {
  return walletConnect({
    projectId,
    showQrModal: false,
    telemetryEnabled: false,
    metadata: {
      name: "Slipway", description: document.querySelector<HTMLMetaElement>("meta[name=description]")?.content ?? "",
      url: location.origin, icons: [`${location.origin}/icon.svg`],
    },
  });
}
