"""The crypto token inside the phone: objects, mechanisms, PINs, logins. Synchronous; knows of no link and no AT."""
