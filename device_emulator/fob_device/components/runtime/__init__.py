"""Components that are modules run here: WebAssembly under bounds (docs/office-protocol.md, section 6.5)."""
