"""Progress of builds over WebSocket: replayed from where a client wants it, then live, without a gap or a repeat.

``delivery`` says how; what happens when somebody dies meanwhile is in docs/decisions/streams.md.
"""
