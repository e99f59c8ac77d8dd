/**
 * PostgreSQL does not end with the program that started it. This shell script stands between the two: its standard input is a pipe that only we hold, and
 * when that closes, however we ended, it sends the signal $1 to the postmaster and waits for it. A shell, because it takes a megabyte and is there at once.
 * Its first line of output is the postmaster's process id; signals to our process group (Ctrl-C) are for us alone.
 */
export const GUARD = `trap '' INT TERM HUP
signal=$1; shift
exec 3<&0 </dev/null
"$@" 3<&- >&2 &
postmaster=$!
echo $postmaster
(while read -r _; do :; done <&3; kill -s $signal $postmaster) >/dev/null 2>&1 &
watch=$!
exec 3<&-
wait $postmaster
code=$?
kill -s KILL $watch 2>/dev/null
exit $code`
