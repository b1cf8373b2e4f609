import type { ReactNode } from "react";
import { useSearchParams } from "react-router";
import { Tabs, TabsContent, TabsList, TabsTrigger } from "@/components/ui/tabs";

export interface PageTab {
  id: string;
  name: string;
  content: ReactNode;
}

/** Parts of a page, the chosen one of which is in its address. */
export function PageTabs({ label, tabs }: { label: string; tabs: [PageTab, ...PageTab[]] }) {
  const [search, setSearch] = useSearchParams();
  const current = tabs.find(({ id }) => id === search.get("tab"))?.id ?? tabs[0].id;
  return (
    <Tabs value={current} onValueChange={(tab) => setSearch({ tab })} className="flex min-w-0 flex-col gap-4">
      <div className="-mx-4 overflow-x-auto px-4">
        <TabsList aria-label={label}>{tabs.map(({ id, name }) => <TabsTrigger key={id} value={id}>{name}</TabsTrigger>)}</TabsList>
      </div>
      {tabs.map(({ id, content }) => <TabsContent key={id} value={id} className="min-w-0">{content}</TabsContent>)}
    </Tabs>
  );
}
