import { CopyButton } from "@/components/copy-button";
import { Dialog, DialogContent, DialogDescription, DialogHeader, DialogTitle } from "@/components/ui/dialog";
import { Notice } from "@/components/ui/alert";
import { moment } from "@/lib/format";
import type { Enrolment } from "./queries";

/** The one line that makes a machine the wallet's worker. */
export function SetupDialog({ enrolment, onClose }: { enrolment: Enrolment | undefined; onClose: () => void }) {
  return (
    <Dialog open={enrolment !== undefined} onOpenChange={(open) => open || onClose()}>
      <DialogContent>
        <DialogHeader>
          <DialogTitle>Set the machine up</DialogTitle>
          <DialogDescription>
            Paste this line into a shell of the machine, Debian or Ubuntu, as root or as a user with sudo.
          </DialogDescription>
        </DialogHeader>
        {enrolment ? (
          <>
            <pre
              tabIndex={0} aria-label="Setup command"
              className="max-h-48 overflow-auto rounded-md border bg-muted p-3 font-mono text-xs break-all whitespace-pre-wrap"
            >
              {enrolment.setup_command}
            </pre>
            <CopyButton text={enrolment.setup_command} label="Copy the setup command" variant="default" size="default">
              Copy the setup command
            </CopyButton>
            <Notice variant="warning">
              <p>
                It holds a code that is good once, until <time dateTime={enrolment.expires_at}>{moment(enrolment.expires_at)}</time>:
                keep it secret. It appears only here. A new code replaces it whenever you ask.
              </p>
            </Notice>
          </>
        ) : null}
      </DialogContent>
    </Dialog>
  );
}
