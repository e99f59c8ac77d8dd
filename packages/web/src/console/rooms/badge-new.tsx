import { useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { send } from '../api.ts'
import { useEstate } from '../estate.ts'
import { Dialog, Field, Form, Select } from '../forms.tsx'
import type { Credential } from '../shapes.ts'
import { fromLocal, longTime } from '../time.ts'
import { person as words } from '../words/people.ts'
import { BadgeNumber } from './badge-number.tsx'

interface NewBadgeProps {
	readonly user: string
	/** Those that the person has by now, any of which the new one can take the place of. */
	readonly badges: readonly Credential[]
	close(): void
}

/** A badge by its number: typed, or read at a kiosk by somebody who stands there with it. */
export function NewBadge({ user, badges, close }: NewBadgeProps) {
	const client = useQueryClient()
	const { home } = useEstate()
	const [number, setNumber] = useState('')
	return (
		<Dialog title={words.newBadgeTitle} lead={words.newBadgeLead} close={close}>
			<Form
				submit={words.newBadgeSubmit}
				cancel={close}
				send={async (form) => {
					const text = (name: string) => String(form.get(name) ?? '')
					const notAfter = fromLocal(text('until'), home)
					await send('POST', '/v1/credentials', {
						kind: 'badge',
						user,
						number: number.trim(),
						assurance: text('assurance'),
						...(notAfter && { notAfter }),
						...(text('replaces') && { replaces: text('replaces') }),
					})
					await client.invalidateQueries({ queryKey: ['people'] })
					close()
				}}
			>
				<BadgeNumber label={words.newBadgeNumber} hint={words.newBadgeHint} value={number} change={setNumber} compare />
				<Select label={words.assurance} name="assurance" options={words.assurances} />
				{badges.length > 0 && (
					<Select
						label={words.replaces}
						name="replaces"
						options={[['', words.replacesNone], ...badges.map(({ id, createdAt }) => [id, words.badgeOf(longTime(createdAt, home))] as const)]}
					/>
				)}
				<Field label={words.validUntil} hint={words.validUntilHint} name="until" type="datetime-local" />
			</Form>
		</Dialog>
	)
}
