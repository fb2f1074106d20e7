"""The tests a package carries: each case runs on its own, and the report says what held and what was reached."""
