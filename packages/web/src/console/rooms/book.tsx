import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { Icon } from '../../ui/icon.tsx'
import { may } from '../access.ts'
import { send } from '../api.ts'
import { useMay, useSeat } from '../context.ts'
import { Field, Form, Secret, Select } from '../forms.tsx'
import { Card, Empty, Title } from '../parts.tsx'
import { allBanks } from '../queries.ts'
import type { Case } from '../shapes.ts'
import { SIZES } from '../words/banks.ts'
import { booking as words } from '../words/cases.ts'
import { general } from '../words/shell.ts'
import { digitsOf } from './case-actions.tsx'
import { FindPerson } from './find-person.tsx'

/** Books a delivery; its code is shown once, here. */
export function Book() {
	const { me } = useSeat()
	const { data: banks = [] } = useQuery({ ...allBanks, enabled: useMay('estate.read') })
	const [booked, setBooked] = useState<{ readonly delivery: Case; readonly code: string }>()
	const allowed = banks.filter(({ id: bank, site }) => may(me, 'delivery.create', { bank, site }))
	if (booked)
		return (
			<>
				<Title title={words.booked(booked.delivery.number)} />
				<Card label={words.codeIs} className="narrow">
					<Secret label={words.codeIs} text={booked.code} note={words.codeOnce} />
					<Link className="btn primary" to="/cases/$case" params={{ case: booked.delivery.id }}>
						{words.see}
					</Link>
				</Card>
			</>
		)
	return (
		<>
			<Title title={words.title} below={words.lead} />
			<Card label={words.title} className="narrow">
				{allowed.length === 0 ? (
					<Empty title={general.notPermitted} />
				) : (
					<BookForm banks={allowed.map(({ id, name }) => [id, name] as const)} booked={setBooked} />
				)}
			</Card>
		</>
	)
}

interface BookFormProps {
	readonly banks: readonly (readonly [id: string, name: string])[]
	booked(done: { readonly delivery: Case; readonly code: string }): void
}
function BookForm({ banks, booked }: BookFormProps) {
	const [parcels, setParcels] = useState<readonly number[]>([0])
	const [hasAccount, setHasAccount] = useState(useMay('people.read'))
	const findsPeople = useMay('people.read')
	const [user, setUser] = useState<string>()
	const book = async (form: FormData) => {
		const text = (name: string) => String(form.get(name) ?? '').trim()
		const contact = { ...(text('email') && { email: text('email') }), ...(text('phone') && { phone: text('phone').replaceAll(/[ ()/-]/g, '') }) }
		const { delivery, pickUpCode } = await send<{ delivery: Case; pickUpCode: string | { digits: string } }>('POST', '/v1/deliveries', {
			bank: text('bank'),
			label: text('label'),
			lines: parcels.map((n) => ({
				size: text(`size-${n}`),
				...(text(`tag-${n}`) && { tag: text(`tag-${n}`) }),
				accessible: form.get('accessible') !== null,
			})),
			recipient: hasAccount && user !== undefined ? { user } : contact,
		})
		booked({ delivery, code: digitsOf(pickUpCode) })
	}
	return (
		<Form submit={words.submit} send={book}>
			<Select label={words.bank} name="bank" options={banks} />
			<Field label={words.label} hint={words.labelHint} name="label" required maxLength={80} />
			<fieldset className="group">
				<legend>{words.parcels}</legend>
				{parcels.map((n, i) => (
					<div key={n} className="pair">
						<Select label={`${words.parcel(i + 1)}, ${words.size.toLowerCase()}`} name={`size-${n}`} options={Object.entries(SIZES)} />
						<Field label={words.tag} name={`tag-${n}`} maxLength={80} />
						{parcels.length > 1 && (
							<button
								type="button"
								className="iconbtn"
								aria-label={words.remove(i + 1)}
								onClick={() => setParcels(parcels.filter((one) => one !== n))}
							>
								<Icon name="x" />
							</button>
						)}
					</div>
				))}
				<button type="button" className="btn small" onClick={() => setParcels([...parcels, Math.max(...parcels) + 1])}>
					<Icon name="plus" />
					{words.add}
				</button>
			</fieldset>
			<fieldset className="reasons">
				<legend>{words.forWhom}</legend>
				{findsPeople && (
					<label>
						<input type="radio" name="kind" checked={hasAccount} onChange={() => setHasAccount(true)} />
						<span>{words.account}</span>
					</label>
				)}
				<label>
					<input type="radio" name="kind" checked={!hasAccount} onChange={() => setHasAccount(false)} />
					<span>{words.noAccount}</span>
				</label>
			</fieldset>
			{hasAccount ? (
				<FindPerson choose={setUser} />
			) : (
				<div className="pair">
					<Field label={words.email} name="email" type="email" />
					<Field label={words.phone} name="phone" type="tel" />
				</div>
			)}
			<label className="check">
				<input type="checkbox" name="accessible" />
				{words.accessible}
			</label>
		</Form>
	)
}
