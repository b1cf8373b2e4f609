import { TriangleAlertIcon } from "lucide-react";
import { Suspense, useEffect, useRef } from "react";
import { NavLink, Outlet, useLocation } from "react-router";
import { ErrorAlert } from "@/components/error-alert";
import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { Loading, Skeleton } from "@/components/ui/skeleton";
import { Toaster } from "@/components/ui/toaster";
import { cn } from "@/lib/utils";
import { PAGES } from "@/pages";
import { useSessionFollowsWallet, useWallet } from "@/wallet/use-wallet";
import { WalletButton } from "@/wallet/wallet-button";
import { PageBoundary } from "./page-boundary";
import { ThemeToggle } from "./theme-toggle";

export function Layout() {
  useSessionFollowsWallet();
  const { session } = useWallet();
  const { pathname } = useLocation();
  usePageBeginsAtItsTop(pathname);
  const pages = PAGES.filter((page) => page.label && (!page.role || session?.roles.includes(page.role)));
  return (
    <>
      <a
        href="#content"
        className="sr-only z-50 rounded-md bg-primary px-3 py-2 text-primary-foreground focus:not-sr-only focus:fixed focus:top-2 focus:left-2"
      >
        Skip to the content
      </a>
      <header className="sticky top-0 z-40 border-b bg-background/90 backdrop-blur">
        <div className="mx-auto flex max-w-6xl flex-wrap items-center gap-x-6 gap-y-2 px-4 py-2.5">
          <NavLink to="/" className="flex items-center gap-2 font-semibold">
            <img src="/icon.svg" alt="" className="size-7" /> Slipway
          </NavLink>
          <nav ref={useShownLink(pathname)} aria-label="Pages" className="order-last -mx-4 flex w-screen gap-1 overflow-x-auto px-4 sm:order-none sm:mx-0 sm:w-auto sm:px-0">
            {pages.map(({ path, label, icon: Icon }) => (
              <NavLink
                key={path} to={path} end={path === "/"}
                className={({ isActive }) =>
                  cn(
                    "flex items-center gap-1.5 rounded-md px-2.5 py-1.5 text-sm whitespace-nowrap text-muted-foreground outline-none hover:text-foreground focus-visible:ring-[3px] focus-visible:ring-ring/60",
                    isActive && "bg-accent font-medium text-accent-foreground",
                  )
                }
              >
                {Icon ? <Icon className="size-4" aria-hidden /> : null} {label}
              </NavLink>
            ))}
          </nav>
          <div className="ml-auto flex items-center gap-2">
            <ThemeToggle />
            <WalletButton />
          </div>
        </div>
      </header>
      <main id="content" tabIndex={-1} className="outline-none mx-auto flex max-w-6xl flex-col gap-4 px-4 py-6">
        <NetworkPrompt />
        <PageBoundary key={pathname}>
          <Suspense fallback={<Loading of="page" className="flex flex-col gap-4"><Skeleton className="h-9 w-56" /><Skeleton className="h-64" /></Loading>}>
            <Outlet />
          </Suspense>
        </PageBoundary>
      </main>
      <Toaster />
    </>
  );
}

/** What a browser does for a new document: another page begins at its top, and the keyboard goes on from there. */
function usePageBeginsAtItsTop(pathname: string): void {
  const shown = useRef(pathname);
  useEffect(() => {
    if (shown.current === pathname) return;
    shown.current = pathname;
    window.scrollTo(0, 0);
    document.getElementById("content")?.focus({ preventScroll: true });
  }, [pathname]);
}

/** Where the navigation is wider than the screen, the present page's link is scrolled to. */
function useShownLink(pathname: string) {
  const navigation = useRef<HTMLElement>(null);
  useEffect(() => {
    const show = () =>
      navigation.current?.querySelector("[aria-current=page]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
    show();
    window.addEventListener("resize", show);
    return () => window.removeEventListener("resize", show);
  }, [pathname]);
  return navigation;
}

/** Shown while the wallet is on another network than the one that tokens and the escrow are on. */
function NetworkPrompt() {
  const wallet = useWallet();
  if (!wallet.isWrongNetwork) return null;
  return (
    <>
      <Alert variant="warning">
        <TriangleAlertIcon aria-hidden />
        <div className="flex flex-1 flex-wrap items-center justify-between gap-3">
          <p>
            <span className="font-semibold">Wrong network.</span> Your wallet is on another one: switch to {wallet.chain.name}{" "}
            (chain {wallet.chain.id}) to sign deposits and refunds.
          </p>
          <Button size="sm" onClick={wallet.switchNetwork} disabled={wallet.isSwitching}>
            {wallet.isSwitching ? "Switching…" : `Switch to ${wallet.chain.name}`}
          </Button>
        </div>
      </Alert>
      {wallet.switchError ? <ErrorAlert error={wallet.switchError} title="The wallet did not switch" /> : null}
    </>
  );
}
