import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { type KeyboardEvent, type ReactNode, useDeferredValue, useEffect, useId, useMemo, useRef, useState } from 'react'
import { Icon, type IconName } from '../ui/icon.tsx'
import { may } from './access.ts'
import { useSeat } from './context.ts'
import { type Found, parseFind, searchBanks, searchDoors } from './find.ts'
import { allBanks, caseList, peopleFound } from './queries.ts'
import { booking, caseState, cases, WORKFLOWS } from './words/cases.ts'
import { palette } from './words/palette.ts'
import { shell } from './words/shell.ts'

interface Choice extends Found {
	readonly icon: IconName
	act(): void
}

/** Finds and does: one line of typing, arrows, Enter. Only what the reader may see is looked for. */
export function Palette({ close }: { close(): void }) {
	const dialog = useRef<HTMLDialogElement>(null)
	const list = useRef<HTMLDivElement>(null)
	const [typed, setTyped] = useState('')
	const [at, setAt] = useState(0)
	const id = useId()
	const { me, signOut } = useSeat()
	const go = useNavigate()
	useEffect(() => {
		const shown = dialog.current
		const from = document.activeElement
		shown?.showModal()
		return () => {
			shown?.close()
			if (from instanceof HTMLElement && from.isConnected) from.focus({ preventScroll: true })
		}
	}, [])

	const { kind, text, door } = parseFind(useDeferredValue(typed))
	const seesEstate = may(me, 'estate.read')
	const { data: banks = [] } = useQuery({ ...allBanks, enabled: seesEstate })
	const findsCases = may(me, 'case.read') && kind === 'all' && text.length >= 2
	const { data: found } = useQuery({ queryKey: ['case', 'find', text], queryFn: () => caseList({ find: text }, undefined, 6), enabled: findsCases })
	const findsPeople = may(me, 'people.read') && text.length >= 2 && kind !== 'actions'
	const { data: persons } = useQuery({ ...peopleFound(text, 6), enabled: findsPeople })

	const groups = useMemo(() => {
		const to = (act: () => unknown) => () => {
			close()
			void act()
		}
		const doors = kind === 'all' ? searchDoors(banks, text, door) : []
		const all: (readonly [string, readonly Choice[]])[] = [
			[
				palette.doors,
				doors.map(({ bank, number, name }) => ({
					key: `door/${bank}/${number}`,
					words: palette.door(number, name),
					icon: 'door',
					act: to(() => go({ to: '/banks/$bank', params: { bank }, search: { door: number } })),
				})),
			],
			[
				palette.actions,
				[
					...doors
						.filter(({ bank, site }) => may(me, 'door.open.remote', { bank, site }))
						.slice(0, kind === 'all' ? 3 : 0)
						.map(
							({ bank, number, name }): Choice => ({
								key: `open/${bank}/${number}`,
								words: palette.openDoor(number, name),
								icon: 'key',
								act: to(() => go({ to: '/banks/$bank', params: { bank }, search: { door: number, open: true } })),
							}),
						),
					...actions(text, kind === 'actions', [
						may(me, 'delivery.create') && { key: 'book', words: booking.title, icon: 'put', act: to(() => go({ to: '/cases/new' })) },
						may(me, 'case.read') && {
							key: 'conflicts',
							words: cases.conflicts,
							icon: 'case',
							act: to(() => go({ to: '/cases', search: { conflict: true } })),
						},
						{ key: 'out', words: shell.signOut, icon: 'leave', act: to(signOut) },
					]),
				],
			],
			[
				palette.banks,
				kind === 'all'
					? searchBanks(banks, text).map(({ id: bank, name }) => ({
							key: bank,
							words: name,
							icon: 'bank' as const,
							act: to(() => go({ to: '/banks/$bank', params: { bank } })),
						}))
					: [],
			],
			[
				palette.cases,
				findsCases
					? (found?.items ?? []).map(({ id: one, number, label, workflow, state }) => ({
							key: one,
							words: [`${WORKFLOWS[workflow] ?? workflow} ${number}`, label].filter(Boolean).join(', '),
							aside: caseState(state)[0].toLowerCase(),
							icon: 'case' as const,
							act: to(() => go({ to: '/cases/$case', params: { case: one } })),
						}))
					: [],
			],
			[
				palette.people,
				findsPeople
					? (persons?.items ?? []).map(({ id: user, name }) => ({
							key: user,
							words: name ?? '',
							icon: 'person' as const,
							act: to(() => go({ to: '/people/$user', params: { user } })),
						}))
					: [],
			],
		]
		return all.filter(([, choices]) => choices.length > 0)
	}, [banks, close, door, findsCases, findsPeople, found, go, kind, me, persons, signOut, text])
	const flat = groups.flatMap(([, choices]) => choices)
	const chosen = Math.min(at, Math.max(0, flat.length - 1))

	// biome-ignore lint/correctness/useExhaustiveDependencies: the chosen line is kept in view.
	useEffect(() => {
		list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: 'nearest' })
	}, [chosen, flat.length])

	const onKey = (event: KeyboardEvent) => {
		const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0
		if (step !== 0 && flat.length > 0) {
			event.preventDefault()
			setAt((chosen + step + flat.length) % flat.length)
		} else if (event.key === 'Enter') {
			event.preventDefault()
			flat[chosen]?.act()
		}
	}
	let n = -1
	return (
		<dialog
			ref={dialog}
			className="palette"
			aria-label={palette.name}
			onCancel={(event) => {
				event.preventDefault()
				close()
			}}
			onClick={(event) => event.target === dialog.current && close()}
			onKeyDown={() => {}}
		>
			<div className="palette-in">
				<Icon name="search" />
				<input
					role="combobox"
					aria-expanded={flat.length > 0}
					aria-controls={id}
					aria-autocomplete="list"
					aria-label={palette.input}
					{...(flat.length > 0 && { 'aria-activedescendant': `${id}-${chosen}` })}
					placeholder={palette.input}
					autoComplete="off"
					spellCheck={false}
					value={typed}
					onChange={(event) => {
						setTyped(event.currentTarget.value)
						setAt(0)
					}}
					onKeyDown={onKey}
				/>
				<button type="button" className="esc" onClick={close} aria-label={shell.close}>
					<kbd>{palette.close}</kbd>
				</button>
			</div>
			<div className="palette-list" role="listbox" id={id} aria-label={palette.name} ref={list}>
				{groups.map(([group, choices]) => (
					// biome-ignore lint/a11y/useSemanticElements: inside a list box there are groups of options, not of fields.
					<div key={group} role="group" aria-label={group}>
						<p className="gh" aria-hidden="true">
							{group}
						</p>
						{choices.map(({ key, words, aside, icon, act }) => {
							n++
							return (
								// biome-ignore lint/a11y/useFocusableInteractive: the focus stays in the field; it names the chosen line (ARIA combobox).
								<div key={key} role="option" id={`${id}-${n}`} aria-selected={n === chosen} onClick={act} onKeyDown={() => {}}>
									<Icon name={icon} />
									{words}
									{aside !== undefined && <span>{aside}</span>}
								</div>
							)
						})}
					</div>
				))}
			</div>
			{flat.length === 0 && (
				<p className="state" role="status">
					{text === '' ? palette.hint : palette.none}
				</p>
			)}
			<p className="palette-foot">
				<Key keys={['↑', '↓']}>{palette.move}</Key>
				<Key keys={['Enter']}>{palette.go}</Key>
				<Key keys={['>']}>{palette.actionsOnly}</Key>
				<Key keys={['@']}>{palette.peopleOnly}</Key>
			</p>
		</dialog>
	)
}

function Key({ keys, children }: { readonly keys: readonly string[]; readonly children: ReactNode }) {
	return (
		<span>
			{keys.map((key) => (
				<kbd key={key}>{key}</kbd>
			))}{' '}
			{children}
		</span>
	)
}

/** Of the actions those whose words begin with what was typed; all of them when only actions are wanted. */
function actions(text: string, all: boolean, offered: readonly (Choice | false)[]): Choice[] {
	return offered
		.filter((one) => one !== false)
		.filter(({ words }) => (text === '' ? true : words.toLowerCase().includes(text.toLowerCase())))
		.slice(0, all || text !== '' ? 20 : 3)
}
