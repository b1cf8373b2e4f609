import { ArrowRightIcon, LayersIcon } from "lucide-react";
import { type FormEvent, useEffect, useState } from "react";
import { Link, useNavigate, useParams } from "react-router";
import { RequireSession } from "@/auth/require-session";
import { EmptyState, Page } from "@/components/page";
import { Button } from "@/components/ui/button";
import { Input } from "@/components/ui/input";
import { Field } from "@/components/ui/label";
import { isEnvironment, recentEnvironments, rememberEnvironment } from "@/stacks/environments";
import { StackCard } from "@/stacks/stack-card";

export default function StacksPage() {
  const { environment } = useParams();
  return (
    <Page
      title={environment ? `Stacks of ${environment}` : "Stacks"}
      description="A Banano node that publishes its endpoint, and an API that uses it: two stacks with lives of their own."
    >
      <RequireSession role="operator"><Content key={environment} environment={environment} /></RequireSession>
    </Page>
  );
}

function Content({ environment }: { environment: string | undefined }) {
  const isKnown = environment !== undefined && isEnvironment(environment);
  useEffect(() => {
    if (environment && isKnown) rememberEnvironment(environment);
  }, [environment, isKnown]);
  return (
    <>
      <Choice current={environment} />
      {isKnown ? (
        <div className="grid gap-5 lg:grid-cols-2 lg:items-start">
          <StackCard environment={environment} kind="node" />
          <StackCard environment={environment} kind="api" />
        </div>
      ) : (
        <EmptyState icon={<LayersIcon aria-hidden />} title={environment ? "That is no environment's name" : "Which environment?"}>
          <p className="max-w-md text-sm text-muted-foreground">
            Name one above to see its stacks, or to deploy them: lower-case letters, digits and hyphens, such as production.
          </p>
        </EmptyState>
      )}
    </>
  );
}

function Choice({ current }: { current: string | undefined }) {
  const navigate = useNavigate();
  const [name, setName] = useState(current ?? "");
  const [isTried, setTried] = useState(false);
  const recent = recentEnvironments().filter((known) => known !== current);

  function submit(event: FormEvent) {
    event.preventDefault();
    setTried(true);
    if (isEnvironment(name.trim())) void navigate(`/stacks/${name.trim()}`);
  }

  const problem = isTried && !isEnvironment(name.trim())
    ? "Up to 32 lower-case letters, digits and hyphens; it begins with a letter and does not end in a hyphen"
    : undefined;
  return (
    <form onSubmit={submit} noValidate className="flex flex-wrap items-start gap-3">
      <Field label="Environment" error={problem} className="w-full sm:w-72">
        {(control) => <Input {...control} value={name} autoCapitalize="none" spellCheck={false} onChange={(event) => setName(event.target.value)} />}
      </Field>
      <Button type="submit" variant="outline" className="sm:mt-5">Show <ArrowRightIcon aria-hidden /></Button>
      {recent.length > 0 ? (
        <nav aria-label="Recent environments" className="flex flex-wrap gap-2 sm:mt-5.5">
          {recent.map((known) => <Button key={known} size="sm" variant="ghost" asChild><Link to={`/stacks/${known}`}>{known}</Link></Button>)}
        </nav>
      ) : null}
    </form>
  );
}
