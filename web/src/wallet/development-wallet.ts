import {
  createPublicClient, createWalletClient, defineChain, hexToBigInt, http, numberToHex, type Address, type Hex,
} from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { injected } from "wagmi";
import type { ChainConfiguration, LocalAccount } from "@/config";
import { chosenAccount, isPermitted, permit } from "./development-accounts";

type Listener = (value: unknown) => void;

interface TransactionRequest {
  to?: Address;
  data?: Hex;
  value?: Hex;
  gas?: Hex;
}

/**
 * A wallet for the local stack (EIP-1193): it signs at once with the local accounts' keys, which everybody knows. It lets
 * a person without a browser wallet use everything, and only the local build holds it.
 */
class DevelopmentProvider {
  private readonly listeners = new Map<string, Set<Listener>>();
  private readonly chain;
  private readonly reader;

  constructor(
    private readonly configuration: ChainConfiguration,
    private readonly accounts: LocalAccount[],
  ) {
    this.chain = defineChain({
      id: configuration.id,
      name: configuration.name,
      nativeCurrency: { name: "Ether", symbol: "ETH", decimals: 18 },
      rpcUrls: { default: { http: [configuration.rpcUrl] } },
    });
    this.reader = createPublicClient({ chain: this.chain, transport: http(configuration.rpcUrl) });
  }

  private get account() {
    const wanted = chosenAccount();
    const known =
      this.accounts.find((account) => account.address === wanted) ??
      this.accounts.find((account) => account.role === "user");
    if (!known) throw new Error("The local stack has no accounts");
    return privateKeyToAccount(known.private_key);
  }

  async request({ method, params = [] }: { method: string; params?: unknown[] }): Promise<unknown> {
    const account = this.account;
    switch (method) {
      case "eth_accounts":
        return isPermitted() ? [account.address] : [];
      case "eth_requestAccounts":
        permit(true);
        return [account.address];
      case "eth_chainId":
        return numberToHex(this.configuration.id);
      case "wallet_requestPermissions":
        permit(true);
        return [{ parentCapability: "eth_accounts", caveats: [{ type: "restrictReturnedAccounts", value: [account.address] }] }];
      case "wallet_revokePermissions":
        permit(false);
        return null;
      case "wallet_switchEthereumChain":
        return null;
      case "personal_sign":
        return account.signMessage({ message: { raw: params[0] as Hex } });
      case "eth_signTypedData_v4":
        return account.signTypedData(JSON.parse(params[1] as string));
      case "eth_sendTransaction": {
        const { to, data, value, gas } = params[0] as TransactionRequest;
        const writer = createWalletClient({ account, chain: this.chain, transport: http(this.configuration.rpcUrl) });
        return writer.sendTransaction({
          to: to ?? null,
          data: data ?? "0x",
          value: value ? hexToBigInt(value) : 0n,
          ...(gas ? { gas: hexToBigInt(gas) } : {}),
        });
      }
      default:
        return this.reader.request({ method, params } as never);
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
