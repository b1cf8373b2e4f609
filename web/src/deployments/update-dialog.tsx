import { LoaderCircleIcon, PencilIcon } from "lucide-react";
import { useMemo, useState } from "react";
import { toast } from "sonner";
import { ApiError } from "@/api/errors";
import CodeEditor from "@/components/code-editor";
import { Diff } from "@/components/diff";
import { Term } from "@/components/term";
import { ErrorAlert } from "@/components/error-alert";
import { Notice } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { Dialog, DialogContent, DialogDescription, DialogFooter, DialogHeader, DialogTitle } from "@/components/ui/dialog";
import { Checkbox } from "@/components/ui/input";
import { lineDiff } from "@/lib/line-diff";
import { useWorkloadChanges } from "./queries";
import { linesOf } from "./sdl-lines";

/** Has a running workload run another SDL, after showing what changes. */
export default function UpdateDialog({ id, sdl, onClose }: { id: string; sdl: string; onClose: () => void }) {
  const [text, setText] = useState(sdl);
  const [replace, setReplace] = useState(false);
  const { update } = useWorkloadChanges(id);
  const refused = update.error instanceof ApiError ? update.error : null;
  const problems = useMemo(() => linesOf(text, refused?.fields ?? []), [text, refused]);
  const change = useMemo(() => lineDiff(sdl, text), [sdl, text]);
  const needsReplacement = refused?.code === "REPLACEMENT_NEEDED";
  const isChanged = text.trimEnd() !== sdl.trimEnd();
  return (
    <Dialog open onOpenChange={(open) => !open && onClose()}>
      <DialogContent className="max-w-3xl">
        <DialogHeader>
          <DialogTitle>Update</DialogTitle>
          <DialogDescription>It goes on in its <Term text="lease" of="lease" />, at the same addresses, where the lease can run the new SDL.</DialogDescription>
        </DialogHeader>
        <div className="h-64"><CodeEditor value={text} onChange={setText} problems={problems} label="SDL" describedBy="update-problems" /></div>
        <ul id="update-problems" aria-live="polite" className="flex flex-col gap-0.5 text-xs text-destructive empty:hidden">
          {problems.map(({ line, message }, index) => <li key={index}>Line {line}: {message}</li>)}
        </ul>
        {isChanged ? <div className="max-h-48 overflow-auto rounded-md border bg-muted/40 p-3"><Diff text={change} /></div> : <p className="text-sm text-muted-foreground">Nothing is changed yet.</p>}
        {update.error && problems.length === 0 && !needsReplacement ? <ErrorAlert error={update.error} title="It was not updated" /> : null}
        {needsReplacement ? (
          <Notice variant="warning">
            <div className="flex flex-col gap-2">
              <p>{refused.message}</p>
              <label className="flex items-center gap-2"><Checkbox checked={replace} onChange={(event) => setReplace(event.target.checked)} /> Close its lease and take another one: its addresses change, and what it holds is lost</label>
            </div>
          </Notice>
        ) : null}
        <DialogFooter>
          <Button variant="outline" onClick={onClose}>Cancel</Button>
          <Button
            disabled={!isChanged || update.isPending || (needsReplacement && !replace)}
            onClick={() => update.mutate({ sdl: text, replace }, { onSuccess: () => { toast.success("The update was accepted"); onClose(); } })}
          >
            {update.isPending ? <LoaderCircleIcon aria-hidden className="animate-spin" /> : <PencilIcon aria-hidden />} {replace ? "Replace" : "Update"}
          </Button>
        </DialogFooter>
      </DialogContent>
    </Dialog>
  );
}
