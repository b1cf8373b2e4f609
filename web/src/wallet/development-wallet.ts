import { numberToHex, type Hex } from "viem";
import { injected } from "wagmi";
import type { ChainConfiguration, LocalAccount } from "@/config";
import { chosenAccount, isPermitted, permit } from "./development-accounts";
import type { TransactionRequest } from "./development-signer";

type Listener = (value: unknown) => void;

/**
 * A wallet for the local stack (EIP-1193): it signs at once with the local accounts' keys, which everybody knows. It lets
 * a person without a browser wallet use everything, and only the local build holds it.
 */
class DevelopmentProvider {
  private readonly listeners = new Map<string, Set<Listener>>();

  constructor(
    private readonly chain: ChainConfiguration,
    private readonly accounts: LocalAccount[],
  ) {}

  private get account(): LocalAccount {
    const wanted = chosenAccount();
    const known =
      this.accounts.find((account) => account.address === wanted) ??
      this.accounts.find((account) => account.role === "user");
    if (!known) throw new Error("The local stack has no accounts");
    return known;
  }

  async request({ method, params = [] }: { method: string; params?: unknown[] }): Promise<unknown> {
    const { address, private_key: key } = this.account;
    switch (method) {
      case "eth_accounts":
        return isPermitted() ? [address] : [];
      case "eth_requestAccounts":
        permit(true);
        return [address];
      case "eth_chainId":
        return numberToHex(this.chain.id);
      case "wallet_requestPermissions":
        permit(true);
        return [{ parentCapability: "eth_accounts", caveats: [{ type: "restrictReturnedAccounts", value: [address] }] }];
      case "wallet_revokePermissions":
        permit(false);
        return null;
      case "wallet_switchEthereumChain":
        return null;
      case "wallet_watchAsset":
        return true; // It has no list of tokens; what it is asked to watch is nobody's loss.
    }
    // What signs is several times as large as all of this, and the first page does not need it.
    const signer = await import("./development-signer");
    switch (method) {
      case "personal_sign":
        return signer.signMessage(key, params[0] as Hex);
      case "eth_signTypedData_v4":
        return signer.signTypedData(key, params[1] as string);
      case "eth_sendTransaction":
        return signer.sendTransaction(key, this.chain, params[0] as TransactionRequest);
      default:
        return signer.ask(this.chain, method, params);
    }
  }

  on(event: string, listener: Listener): void {
    const known = this.listeners.get(event) ?? new Set();
    this.listeners.set(event, known.add(listener));
  }

  removeListener(event: string, listener: Listener): void {
    this.listeners.get(event)?.delete(listener);
  }
}

export function developmentWallet(chain: ChainConfiguration, accounts: LocalAccount[]) {
  const provider = new DevelopmentProvider(chain, accounts);
  return injected({
    target: { id: "development", name: "Development wallet", provider: provider as never },
  });
}
