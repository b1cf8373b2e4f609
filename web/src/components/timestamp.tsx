import { ago, moment } from "@/lib/format";

/** A moment, told by how long ago it was; the exact one is its title. */
export function Timestamp({ iso, className }: { iso: string; className?: string }) {
  return <time dateTime={iso} title={moment(iso)} className={className}>{ago(iso)}</time>;
}
