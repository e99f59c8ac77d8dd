import { Logo } from '../../ui/icon.tsx'
import { send } from '../api.ts'
import { Field, Form, Title } from '../parts.tsx'
import { signIn } from '../words/shell.ts'

export function SignIn({ ended, enter }: { readonly ended: boolean; enter(): Promise<void> }) {
	return (
		<main className="alone">
			<div className="card sign-in">
				<Logo />
				<Title title={signIn.title} below={ended ? signIn.ended : signIn.lead} />
				<Form
					submit={signIn.submit}
					send={async (form) => {
						await send('POST', '/v1/sign-ins', { email: form.get('email'), password: form.get('password') })
						await enter()
					}}
				>
					<Field label={signIn.email} name="email" type="email" autoComplete="username" required autoFocus />
					<Field label={signIn.password} name="password" type="password" autoComplete="current-password" required />
				</Form>
				<p className="mute">{signIn.forgotten}</p>
			</div>
		</main>
	)
}
