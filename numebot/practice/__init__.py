"""A Numerai on this machine: made-up data, play keys, play money, and everything that can go wrong.

    market/    the data of every round: features, targets, live rows, and what becomes of them
    scores/    what predictions are worth: metrics, percentiles among the other players, payouts, leaderboards
    world/     what the server remembers: rounds, account, uploads, submissions, diagnostics
    graphql/   the API that clients speak with
    storage/   the files that clients get and put, behind signed addresses
    faults/    what can be made to go wrong
    http/      the loopback server under it all, down to the single connection

Each uses only those above it (http stands apart), and `server` puts them together. `options` and `process` run a
tournament from another program and load nothing heavy.
"""
