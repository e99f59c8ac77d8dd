import { useQueryClient } from '@tanstack/react-query'
import { send } from './api.ts'
import { Dialog, Field, Form } from './forms.tsx'
import { mine } from './queries.ts'
import { password as words } from './words/shell.ts'

/** Changes one's own password; every session ends, this one too, so the sign-in comes next. */
export function ChangePassword({ close }: { close(): void }) {
	const client = useQueryClient()
	return (
		<Dialog title={words.title} lead={words.lead} close={close}>
			<Form
				submit={words.submit}
				cancel={close}
				send={async (form) => {
					await send('PUT', '/v1/me/password', { current: form.get('current'), password: form.get('password') })
					await client.refetchQueries(mine)
				}}
			>
				<Field label={words.current} name="current" type="password" autoComplete="current-password" required />
				<Field label={words.next} hint={words.hint} name="password" type="password" autoComplete="new-password" required />
			</Form>
		</Dialog>
	)
}
