import { Component, type ReactNode } from "react";
import { ErrorAlert } from "@/components/error-alert";

/** Keeps a page that breaks from taking the header with it. */
export class PageBoundary extends Component<{ children: ReactNode }, { error: unknown }> {
  override state = { error: null };

  static getDerivedStateFromError(error: unknown) {
    return { error };
  }

  override render() {
    if (this.state.error === null) return this.props.children;
    return <ErrorAlert error={this.state.error} title="This page could not be shown" onRetry={() => location.reload()} />;
  }
}
