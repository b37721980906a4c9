"""What predictions are worth: metrics day by day, the other players, payouts and leaderboards."""
