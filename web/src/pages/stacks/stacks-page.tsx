import { ArrowRightIcon, LayersIcon } from "lucide-react";
import { type FormEvent, useState } from "react";
import { useNavigate, useParams } from "react-router";
import { RequireSession } from "@/auth/require-session";
import { EmptyState, Page } from "@/components/page";
import { Button } from "@/components/ui/button";
import { Input } from "@/components/ui/input";
import { Field } from "@/components/ui/label";
import { isEnvironment } from "@/stacks/environments";
import { StackCard } from "@/stacks/stack-card";
import { StackList } from "@/stacks/stack-list";

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
  return (
    <>
      <Choice current={environment} />
      {isKnown ? (
        <div className="grid gap-5 lg:grid-cols-2 lg:items-start">
          <StackCard environment={environment} kind="node" />
          <StackCard environment={environment} kind="api" />
        </div>
      ) : (
        <StackList>
          <EmptyState icon={<LayersIcon aria-hidden />} title={environment ? "That is no environment's name" : "Which environment?"}>
            <p className="max-w-md text-sm text-muted-foreground">
              Name one above to see its stacks, or to deploy them: lower-case letters, digits and hyphens, such as production.
            </p>
          </EmptyState>
        </StackList>
      )}
    </>
  );
}

function Choice({ current }: { current: string | undefined }) {
  const navigate = useNavigate();
  const [name, setName] = useState(current ?? "");
  const [isTried, setTried] = useState(false);

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
    </form>
  );
}
