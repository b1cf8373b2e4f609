import { Tooltip } from "radix-ui";
import { useState } from "react";

/** What words of the trade mean, in a sentence; docs/glossary.md has more of them. */
const MEANINGS = {
  bid: "A provider's offer to run your workload, with its price",
  bids: "Offers of providers to run your workload, each with its price",
  lease: "The contract with the provider whose bid was taken: it runs your workload and is paid for it",
  uact: "What prices are given in: a millionth of an ACT, Akash's credit. 1 ACT is 1 US dollar",
  nonce: "A random text that is good for one sign-in, so that nobody can use your signature again",
  escrow: "A contract on the chain that holds your deposit: what is spent goes to the operator, the rest comes back to you",
  sdl: "Akash's YAML that says what to run: images, ports, resources and the most it may cost",
  runway: "How long what is left lasts at the present price",
  steward: "The wallet that may mint more of the token, up to its maximum, and hand that right over",
} as const;

type Known = keyof typeof MEANINGS;

/** A word of the trade; what it means is shown to the pointer, the keyboard and the finger. */
export function Term(props: { text: string; meaning: string } | { text: string; of: Known }) {
  const [isOpen, setOpen] = useState(false);
  const meaning = "of" in props ? MEANINGS[props.of] : props.meaning;
  return (
    <Tooltip.Provider delayDuration={200}>
      <Tooltip.Root open={isOpen} onOpenChange={setOpen}>
        <Tooltip.Trigger
          type="button" data-term
          // A finger has no hover: a tap shows it, and Radix would close it.
          onPointerDown={(event) => event.preventDefault()}
          onClick={(event) => {
            event.preventDefault();
            setOpen(true);
          }}
          className="cursor-help rounded-xs text-left underline decoration-dotted underline-offset-2 outline-none focus-visible:ring-[3px] focus-visible:ring-ring/60"
        >
          {props.text}
        </Tooltip.Trigger>
        <Tooltip.Portal>
          <Tooltip.Content
            sideOffset={4} collisionPadding={8}
            className="z-60 max-w-64 rounded-md border bg-popover px-3 py-2 text-xs leading-relaxed text-popover-foreground shadow-md"
          >
            {meaning}
          </Tooltip.Content>
        </Tooltip.Portal>
      </Tooltip.Root>
    </Tooltip.Provider>
  );
}
