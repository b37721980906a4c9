"""The API's roots by topic: each module binds its resolvers to the schema."""
