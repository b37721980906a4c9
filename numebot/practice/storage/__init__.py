"""Files to get and to put, behind signed addresses that expire."""
