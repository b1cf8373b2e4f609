import { CopyButton } from "@/components/copy-button";
import { Notice } from "@/components/ui/alert";

/** A secret that is shown this once. */
export function SecretNotice({ what, secret }: { what: string; secret: string }) {
  return (
    <Notice variant="warning" role="status">
      <div className="flex min-w-0 flex-col gap-2">
        <p><span className="font-semibold">{what}</span>: it appears only here and only now.</p>
        <code data-secret className="text-xs break-all">{secret}</code>
        <CopyButton text={secret} label={`Copy: ${what}`} className="self-start">Copy it</CopyButton>
      </div>
    </Notice>
  );
}
