import { FuelIcon } from "lucide-react";
import { useState } from "react";
import { Link } from "react-router";
import { BarChart } from "@/components/bar-chart";
import { Copied } from "@/components/copied";
import { ErrorAlert } from "@/components/error-alert";
import { EmptyState } from "@/components/page";
import { Timestamp } from "@/components/timestamp";
import { Card, CardContent } from "@/components/ui/card";
import { Input, Select } from "@/components/ui/input";
import { Field } from "@/components/ui/label";
import { Loading, Skeleton } from "@/components/ui/skeleton";
import { Table, TableBody, TableCell, TableHead, TableHeader, TableRow } from "@/components/ui/table";
import { ether, shortAddress, shortId } from "@/lib/format";
import { useDebounced } from "@/lib/use-debounced";
import { chainsOf, dailyCosts } from "./gas";
import { useGas } from "./queries";
import type { Gas } from "./types";

const SETTLED_MILLISECONDS = 400;

/** What users' jobs cost the operator on chains. Each chain has its own chart: their currencies are not the same money. */
export function GasView() {
  const [user, setUser] = useState("");
  const [days, setDays] = useState(30);
  const { data, error, isPending, refetch } = useGas(useDebounced(user, SETTLED_MILLISECONDS), days);
  return (
    <div className="flex flex-col gap-4">
      <div className="flex flex-wrap gap-4">
        <Field label="Wallet" className="w-full sm:w-96">
          {(control) => <Input {...control} value={user} onChange={(event) => setUser(event.target.value.trim())} spellCheck={false} placeholder="0x…" className="font-mono" />}
        </Field>
        <Field label="Days" className="w-40">
          {(control) => (
            <Select {...control} value={days} onChange={(event) => setDays(Number(event.target.value))}>
              {[7, 14, 30].map((count) => <option key={count} value={count}>last {count}</option>)}
            </Select>
          )}
        </Field>
      </div>
      {error ? <ErrorAlert error={error} title="The gas could not be loaded" onRetry={() => void refetch()} /> : null}
      {isPending ? <Loading of="gas"><Skeleton className="h-64" /></Loading> : null}
      {data?.transactions.length === 0 ? (
        <EmptyState icon={<FuelIcon aria-hidden />} title="No gas was spent in this time">
          <p className="text-sm text-muted-foreground">What users’ own wallets send is their own cost, and is not counted here.</p>
        </EmptyState>
      ) : null}
      {data && data.transactions.length > 0 ? <Spent gas={data} /> : null}
    </div>
  );
}

function Spent({ gas }: { gas: Gas }) {
  return (
    <>
      {gas.truncated ? <p className="text-sm text-muted-foreground">There were more transactions than are counted: figures are of the newest ones.</p> : null}
      <div className="grid gap-4 lg:grid-cols-2 lg:items-start">
        {chainsOf(gas).map(({ chain_id: chain, currency }) => (
          <Card key={chain} className="min-w-0">
            <CardContent className="pt-4">
              <BarChart
                title={`Gas on chain ${chain} by day`} head={currency ?? "Currency not known"}
                format={(value) => `${Number(value.toPrecision(3))}`} bars={dailyCosts(gas, chain, currency)}
              />
            </CardContent>
          </Card>
        ))}
      </div>
      <h2 className="text-lg font-semibold">By wallet</h2>
      <Table label="Gas by wallet and chain">
        <TableHeader><tr><TableHead>Wallet</TableHead><TableHead>Chain</TableHead><TableHead className="text-right">Transactions</TableHead><TableHead className="text-right">Cost</TableHead></tr></TableHeader>
        <TableBody>
          {gas.wallets.flatMap(({ wallet, costs }) => costs.map((cost) => (
            <TableRow key={`${wallet} ${cost.chain_id}`}>
              <TableCell><Copied text={wallet} short={shortAddress(wallet)} what="wallet's address" /></TableCell>
              <TableCell className="tabular-nums">{cost.chain_id}</TableCell>
              <TableCell className="text-right tabular-nums">{cost.transactions}</TableCell>
              <TableCell className="text-right whitespace-nowrap tabular-nums">{ether(cost.cost, cost.currency)}</TableCell>
            </TableRow>
          )))}
        </TableBody>
      </Table>
      <h2 className="text-lg font-semibold">Newest transactions</h2>
      <Table label="Newest transactions of users’ jobs">
        <TableHeader><tr><TableHead>When</TableHead><TableHead>Wallet</TableHead><TableHead>For</TableHead><TableHead>Transaction</TableHead><TableHead className="text-right">Cost</TableHead></tr></TableHeader>
        <TableBody>
          {gas.transactions.map((one) => (
            <TableRow key={one.transaction_hash}>
              <TableCell className="whitespace-nowrap"><Timestamp iso={one.at} /></TableCell>
              <TableCell><Copied text={one.wallet} short={shortAddress(one.wallet)} what="wallet's address" /></TableCell>
              <TableCell className="whitespace-nowrap">
                {one.purpose} of{" "}
                {one.kind === "build"
                  ? <Copied text={one.job_id} short={`build ${shortId(one.job_id)}`} what="build's id" />
                  : <Link className="underline underline-offset-4" to={`/deployments/${one.job_id}`}>{one.kind === "token" ? "launch" : "workload"} {shortId(one.job_id)}</Link>}
              </TableCell>
              <TableCell>
                <Copied text={one.transaction_hash} short={shortAddress(one.transaction_hash)} what="transaction's hash" />
                {one.explorer_url ? <a className="ml-2 text-xs underline underline-offset-4" href={one.explorer_url} target="_blank" rel="noreferrer">Explorer</a> : null}
              </TableCell>
              <TableCell className="text-right whitespace-nowrap tabular-nums">{ether(one.cost, one.currency)}</TableCell>
            </TableRow>
          ))}
        </TableBody>
      </Table>
    </>
  );
}
