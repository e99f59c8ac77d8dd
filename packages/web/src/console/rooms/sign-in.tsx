import { useState } from 'react'
import { Logo } from '../../ui/icon.tsx'
import { send } from '../api.ts'
import { Field, Form } from '../forms.tsx'
import { Title } from '../parts.tsx'
import { signIn } from '../words/shell.ts'

export function SignIn({ ended, enter }: { readonly ended: boolean; enter(): Promise<void> }) {
	// Few belong to several, and what was refused may be for that.
	const [refused, setRefused] = useState(false)
	return (
		<main className="alone">
			<div className="card sign-in">
				<Logo />
				<Title title={signIn.title} below={ended ? signIn.ended : signIn.lead} />
				<Form
					submit={signIn.submit}
					send={async (form) => {
						const tenant = String(form.get('organisation') ?? '').trim()
						await send('POST', '/v1/sign-ins', { email: form.get('email'), password: form.get('password'), ...(tenant && { tenant }) }).catch(
							(refused: unknown) => {
								setRefused(true)
								throw refused
							},
						)
						await enter()
					}}
				>
					<Field label={signIn.email} name="email" type="email" autoComplete="username" required autoFocus />
					<Field label={signIn.password} name="password" type="password" autoComplete="current-password" required />
					{refused && (
						<Field label={signIn.organisation} hint={signIn.organisationHint} name="organisation" maxLength={200} autoComplete="organization" />
					)}
				</Form>
				<p className="mute">{signIn.forgotten}</p>
			</div>
		</main>
	)
}
