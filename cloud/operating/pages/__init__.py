"""The pages: each file reads what one of them shows. Any thread's; what they open they close."""
