#!/usr/bin/env python3
"""Checks an exported controller stream of Latchwork with nothing but Python's standard library.

    python3 verify_stream.py FILE...

A file holds one event a line and, as its last line, the signed head. Prints one line of JSON a file and exits 0 when all
are whole, else 1; then `index` counts lines from 0 and is the first line that differs from what the controller minted.

This is a second, independent reading of the rules: every event is canonical JSON (RFC 8785 restricted to strings, booleans,
arrays, objects and integers below 2^53), its sequence follows, its `prev` is the SHA-256 of the bytes before, and the last hash is
the one in the head. The head's Ed25519 signature is NOT checked here, because the standard library has no Ed25519; check it with
another tool over the canonical bytes of the head without its `signature` field.
"""
import hashlib
import json
import sys

NO_PREVIOUS = '0' * 64
FIELDS = {'v', 'stream', 'seq', 'prev', 'type', 'subject', 'actor', 'bank', 'at', 'mono', 'clock', 'bundle', 'offline', 'data'}


def canonical(value):
    if isinstance(value, bool) or isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, int):
        if abs(value) >= 2**53:
            raise ValueError('integer too large')
        return str(value)
    if isinstance(value, list):
        return '[' + ','.join(map(canonical, value)) + ']'
    if isinstance(value, dict):
        # RFC 8785 sorts by UTF-16 code units.
        keys = sorted(value, key=lambda key: key.encode('utf-16-be', 'surrogatepass'))
        return '{' + ','.join(canonical(key) + ':' + canonical(value[key]) for key in keys) + '}'
    raise ValueError('not allowed in an event: ' + type(value).__name__)


def read(line):
    """The event, or None when these are not the canonical bytes of one."""
    try:
        event = json.loads(line.decode('utf-8'))
        whole = isinstance(event, dict) and FIELDS - {'actor'} <= set(event) <= FIELDS and isinstance(event['data'], dict)
        return event if whole and canonical(event).encode('utf-8') == line else None
    except (ValueError, RecursionError):
        return None


def first_break(events, hashes, stream):
    previous = NO_PREVIOUS
    for index, event in enumerate(events):
        if event is None or event['stream'] != stream or event['seq'] != index + 1 or event['prev'] != previous:
            return index
        previous = hashes[index]
    return None


def walk_back(events, hashes, head):
    """Follows the hashes from the head to the start: the original hash of each line by index, and the last event whose bytes are not here."""
    by_hash, known, missing, wanted = dict(zip(hashes, events)), {}, head['seq'], head['hash']
    while missing:
        known[missing - 1] = wanted
        if not by_hash.get(wanted):
            break
        wanted, missing = by_hash[wanted]['prev'], missing - 1
    return known, missing


def verify(lines):
    head = json.loads(lines[-1]) if lines else {}
    if not isinstance(head, dict) or head.get('format') != 'latchwork-head/1':
        return {'ok': False, 'index': len(lines), 'text': 'the last line is not a signed head'}
    lines = lines[:-1]
    events = [read(line) for line in lines]
    hashes = [hashlib.sha256(line).hexdigest() for line in lines]
    broken = first_break(events, hashes, head['stream'])
    known, missing = walk_back(events, hashes, head)
    if broken is not None and broken < missing - 1:
        return {'ok': False, 'index': broken, 'text': 'this line does not follow from the one before'}
    index = min(len(lines), max(0, missing - 1))
    while index < min(head['seq'], len(lines)) and hashes[index] == known[index]:
        index += 1
    if broken is not None and broken <= index:
        return {'ok': False, 'index': broken, 'text': 'this line is not an event, or does not follow from the one before'}
    if index == len(lines) == head['seq']:
        return {'ok': True, 'count': len(lines), 'hash': head['hash'], 'signature': 'not checked'}
    return {'ok': False, 'index': index, 'text': 'this line is not the one that the head stands for'}


if __name__ == '__main__':
    if len(sys.argv) < 2:
        sys.exit('usage: verify_stream.py FILE...')
    whole = True
    for name in sys.argv[1:]:
        with open(name, 'rb') as file:
            content = file.read().split(b'\n')
        verdict = verify(content[:-1] if content[-1] == b'' else content)
        whole = whole and verdict['ok']
        print(json.dumps(verdict))
    sys.exit(0 if whole else 1)
