"""What each page says, frozen, for its template. Texts of computers are plain already; templates escape them."""
