import type { EntityRef } from './policy-engine.ts'

/**
 * The policy schema: what a policy may speak about, in the field's words. Policies are Cedar text and are validated against it
 * when a bundle is compiled, so a misspelt word is an error with a line, not a rule that never applies.
 *
 * Habits for authors: say who may do something with `permit`, and what stands against it with `forbid`, annotated with the reason
 * that the person will be shown: `@reason("outside-hours") forbid (principal, action, resource) unless { context.withinHours };`
 */
export const POLICY_SCHEMA = `
namespace Latchwork {
  entity Group;
  entity Site;
  entity AssetType;
  entity Person in [Group];
  entity Bank in [Site];
  entity Compartment in [Bank] { "number": Long, size: String, accessible: Bool };
  entity Asset in [AssetType, Bank] { kind: String, valueClass: String };

  type Circumstances = {
    // 'badge', 'pin', 'code' or 'badge-and-pin'; 'remote': by a command of the server
    method: String,
    // 'low', 'medium' or 'high', and the same as 1, 2, 3 for comparing
    assurance: String,
    assuranceLevel: Long,
    // no live link to the server
    offline: Bool,
    // how well the controller keeps the key of its site: 0 in a file on its disk, 1 in memory alone, 2 sealed by a security chip, 3 sealed and wiped by a tamper switch
    storageLevel: Long,
    // older than its soft life, but not expired
    stale: Bool,
    // the bank's opening hours, and every schedule that is open now; all closed while the clock is uncertain
    withinHours: Bool,
    openSchedules: Set<String>,
    clockUncertain: Bool,
    // site time: 0 … 1439, and 1 = Monday … 7 = Sunday
    minuteOfDay: Long,
    weekday: Long,
    openLoans: Long,
    overdue: Bool,
    // codes of what the person has learnt or was found fit for, as far as it has not run out
    qualifications: Set<String>,
    // how many other people let this one take a thing of this type, now
    approvals: Long,
    // name of the workflow table, or 'none'
    workflow: String,
  };

  action collect, deposit, "open-remote", service appliesTo { principal: [Person], resource: [Bank, Compartment, Asset], context: Circumstances };
}
`

type EntityKind = 'Action' | 'Asset' | 'AssetType' | 'Bank' | 'Compartment' | 'Group' | 'Person' | 'Site'

export const entityRef = (kind: EntityKind, id: string): EntityRef => ({ type: `Latchwork::${kind}`, id })
