export const TEMPLATES = [
  { id: "erc20", name: "ERC-20 token" },
  { id: "erc721", name: "ERC-721 collection (NFT)" },
  { id: "erc1155", name: "ERC-1155 collection" },
  { id: "vesting", name: "Vesting" },
  { id: "escrow", name: "Escrow" },
  { id: "timelock", name: "Timelock with signers" },
  { id: "airdrop", name: "Airdrop" },
  { id: "auction", name: "Auction" },
  { id: "crowdsale", name: "Crowdsale" },
  { id: "governor", name: "DAO" },
  { id: "lock", name: "Token lock" },
  { id: "splitter", name: "Splitter" },
  { id: "staking", name: "Staking" },
  { id: "subscription", name: "Subscription" },
] as const;

export type Template = (typeof TEMPLATES)[number]["id"];

export interface OptionField {
  name: string;
  label: string;
  kind: "text" | "whole" | "number" | "flag" | "access" | "addresses";
  hint?: string;
  /** The templates that it is for; a token's when none is chosen. */
  templates: Template[];
}

const TOKENS: Template[] = ["erc20", "erc721", "erc1155"];
const ALL: Template[] = TEMPLATES.map(({ id }) => id);

/** The options of a build that a form can give; all may be left out, and then the prompt decides. */
export const OPTION_FIELDS: OptionField[] = [
  { name: "name", label: "Name", kind: "text", templates: TOKENS },
  { name: "symbol", label: "Symbol", kind: "text", templates: TOKENS },
  { name: "owner", label: "Owner", kind: "text", hint: "An address; your wallet unless given.", templates: ALL },
  { name: "supply", label: "First supply", kind: "text", hint: "In whole tokens, such as 1000000 or 1 billion.", templates: TOKENS },
  { name: "cap", label: "Most that may exist", kind: "text", hint: "In whole tokens.", templates: ["erc20", "erc721"] },
  { name: "decimals", label: "Decimals", kind: "whole", templates: ["erc20"] },
  { name: "royalty", label: "Royalty in percent", kind: "number", templates: ["erc721", "erc1155"] },
  { name: "base_uri", label: "Address of the metadata", kind: "text", templates: ["erc721", "erc1155"] },
  { name: "access", label: "Who may do what", kind: "access", templates: TOKENS },
  { name: "mintable", label: "More can be created", kind: "flag", templates: TOKENS },
  { name: "burnable", label: "Can be burned", kind: "flag", templates: TOKENS },
  { name: "pausable", label: "Can be paused", kind: "flag", templates: TOKENS },
  { name: "permit", label: "Approval by signature", kind: "flag", templates: ["erc20"] },
  { name: "votes", label: "Votes", kind: "flag", templates: ["erc20", "erc721"] },
  { name: "enumerable", label: "Can be listed on chain", kind: "flag", templates: ["erc721"] },
  { name: "beneficiary", label: "Beneficiary", kind: "text", hint: "An address.", templates: ["vesting"] },
  { name: "cliff", label: "Cliff in seconds", kind: "whole", templates: ["vesting"] },
  { name: "duration", label: "Duration in seconds", kind: "whole", templates: ["vesting"] },
  { name: "delay", label: "Delay in seconds", kind: "whole", templates: ["escrow", "timelock"] },
  { name: "signers", label: "Signers", kind: "addresses", hint: "Addresses, one a line.", templates: ["timelock"] },
  { name: "threshold", label: "Signers that are needed", kind: "whole", templates: ["timelock"] },
];

/** The fields of a template; those of every token when none is chosen. */
export function fieldsOf(template: string): OptionField[] {
  if (!template) return OPTION_FIELDS.filter(({ templates }) => TOKENS.every((token) => templates.includes(token)));
  return OPTION_FIELDS.filter(({ templates }) => (templates as string[]).includes(template));
}

/** What a form's texts say, in the shapes of the API; what is empty is left out. */
export function optionsOf(template: string, texts: Record<string, string>): Record<string, unknown> {
  const options: Record<string, unknown> = {};
  for (const { name, kind } of fieldsOf(template)) {
    const text = (texts[name] ?? "").trim();
    if (!text) continue;
    if (kind === "flag") options[name] = text === "yes";
    else if (kind === "whole" || kind === "number") options[name] = Number.isFinite(Number(text)) ? Number(text) : text;
    else if (kind === "addresses") options[name] = text.split(/[\s,]+/);
    else options[name] = text;
  }
  return options;
}
