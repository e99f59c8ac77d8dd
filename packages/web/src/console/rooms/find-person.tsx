import { useQuery } from '@tanstack/react-query'
import { useId, useState } from 'react'
import { Field } from '../forms.tsx'
import { peopleFound } from '../queries.ts'
import { booking as words } from '../words/cases.ts'

/** People by the beginnings of their names; one of those found is chosen. */
export function FindPerson({ choose }: { choose(user: string | undefined): void }) {
	const [typed, setTyped] = useState('')
	const [chosen, setChosen] = useState<string>()
	const { data } = useQuery({ ...peopleFound(typed.trim(), 6), enabled: typed.trim().length >= 2 })
	const name = useId()
	return (
		<div>
			<Field label={words.person} type="search" autoComplete="off" value={typed} onChange={(event) => setTyped(event.currentTarget.value)} />
			<div className="reasons" role="radiogroup" aria-label={words.account}>
				{typed.trim().length >= 2 &&
					data?.items.map((person) => (
						<label key={person.id}>
							<input
								type="radio"
								name={name}
								checked={chosen === person.id}
								onChange={() => {
									setChosen(person.id)
									choose(person.id)
								}}
							/>
							<span>{person.name}</span>
						</label>
					))}
				{typed.trim().length >= 2 && data?.items.length === 0 && <p className="mute">{words.nobody}</p>}
			</div>
		</div>
	)
}
