const KEY = "slipway.development-account";

/** Which of the local accounts the development wallet is. */
export function chosenAccount(): string | null {
  return localStorage.getItem(KEY);
}

export function chooseAccount(address: string): void {
  localStorage.setItem(KEY, address);
}

const PERMITTED = "slipway.development-wallet-permitted";

/** Whether its owner has connected it; browser wallets remember that for each site, too. */
export function isPermitted(): boolean {
  return localStorage.getItem(PERMITTED) !== null;
}

export function permit(yes: boolean): void {
  if (yes) localStorage.setItem(PERMITTED, "");
  else localStorage.removeItem(PERMITTED);
}
