import { type ReactNode, useEffect } from "react";

/** A page: its title (the one heading of the first level), what can be done on it, and its content. */
export function Page({
  title, description, actions, children,
}: { title: string; description?: ReactNode; actions?: ReactNode; children: ReactNode }) {
  useEffect(() => {
    document.title = `${title} · Slipway`;
  }, [title]);
  return (
    <div className="flex flex-col gap-5">
      <div className="flex flex-wrap items-center justify-between gap-3">
        <div>
          <h1 className="line-clamp-3 text-2xl font-semibold tracking-tight">{title}</h1>
          {description ? <p className="text-sm text-muted-foreground">{description}</p> : null}
        </div>
        {actions ? <div className="flex flex-wrap gap-2">{actions}</div> : null}
      </div>
      {children}
    </div>
  );
}

/** Said instead of a list that has nothing in it. */
export function EmptyState({ icon, title, children }: { icon: ReactNode; title: string; children?: ReactNode }) {
  return (
    <div className="flex flex-col items-center gap-3 rounded-xl border border-dashed px-6 py-12 text-center [&>svg]:size-8 [&>svg]:text-muted-foreground">
      {icon}
      <p className="font-semibold">{title}</p>
      {children}
    </div>
  );
}
