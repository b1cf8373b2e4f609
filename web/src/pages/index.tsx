import { FolderIcon, GlobeIcon, HammerIcon, LayersIcon, LayoutDashboardIcon, ServerIcon, SettingsIcon, ShieldIcon, type LucideIcon } from "lucide-react";
import { lazy, type ComponentType } from "react";
import type { Role } from "@/auth/session";

export interface PageEntry {
  /** As react-router has it, with its slash. */
  path: string;
  component: ComponentType;
  /** In the navigation; a page without a label is reached from another one. */
  label?: string;
  icon?: LucideIcon;
  /** Who sees it in the navigation. The page itself asks again with RequireSession. */
  role?: Role;
}

/** Most visits begin here, so it is asked for before anything is drawn. */
export const loadDashboard = () => import("./dashboard/dashboard-page");

const stacks = lazy(() => import("./stacks/stacks-page"));

/** Every page. Each is a chunk of its own, so that one page's weight is not another's. */
export const PAGES: PageEntry[] = [
  { path: "/", label: "Dashboard", icon: LayoutDashboardIcon, component: lazy(loadDashboard) },
  { path: "/deployments/:id", component: lazy(() => import("./deployment/deployment-page")) },
  { path: "/tokens/:address", component: lazy(() => import("./token/token-page")) },
  { path: "/builds", label: "Builds", icon: HammerIcon, component: lazy(() => import("./builds/builds-page")) },
  { path: "/builds/new", component: lazy(() => import("./builds/new-build-page")) },
  { path: "/builds/:id", component: lazy(() => import("./builds/build-page")) },
  { path: "/workers", label: "Workers", icon: ServerIcon, component: lazy(() => import("./workers/workers-page")) },
  { path: "/workers/:wallet", component: lazy(() => import("./workers/worker-page")) },
  { path: "/stacks", label: "Stacks", icon: LayersIcon, role: "operator", component: stacks },
  { path: "/stacks/:environment", component: stacks },
  { path: "/providers", label: "Providers", icon: GlobeIcon, component: lazy(() => import("./providers/providers-page")) },
  { path: "/projects", label: "Projects", icon: FolderIcon, component: lazy(() => import("./projects/projects-page")) },
  { path: "/settings", label: "Settings", icon: SettingsIcon, component: lazy(() => import("./settings/settings-page")) },
  { path: "/admin", label: "Administration", icon: ShieldIcon, role: "admin", component: lazy(() => import("./admin/admin-page")) },
  { path: "*", component: lazy(() => import("./not-found-page")) },
];
