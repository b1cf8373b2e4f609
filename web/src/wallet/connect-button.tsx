import { lazy, Suspense, useState } from "react";
import { Button, type ButtonProps } from "@/components/ui/button";

const ConnectDialog = lazy(() => import("./connect-dialog"));

/** Opens the choice of wallets, which is loaded when somebody wants it. */
export function ConnectButton(props: ButtonProps) {
  const [choosing, setChoosing] = useState<boolean>();
  return (
    <>
      <Button {...props} onClick={() => setChoosing(true)} />
      {choosing === undefined ? null : <Suspense><ConnectDialog open={choosing} onOpenChange={setChoosing} /></Suspense>}
    </>
  );
}
