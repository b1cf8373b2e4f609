"""Writes ``docs/openapi.json``: one document of the whole HTTP API, from the functions' own routes and models.

Routes come from the template; what each takes and answers from its function's FastAPI application, or from
``plain_routes`` where a function does without a framework; examples of bodies and parameters from ``events/``.
"""
