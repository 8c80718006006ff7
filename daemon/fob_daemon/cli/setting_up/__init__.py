"""`fob setup`: what a new user's programs need to find the phone, part by part."""
