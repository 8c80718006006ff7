"""What a browser says to the operator's page, without one."""

import re
from dataclasses import dataclass
from typing import Final

import httpx

# Of a form on a page of this site.
OWN: Final = {"Sec-Fetch-Site": "same-origin", "Origin": "null"}


@dataclass
class PageVisitor:
    """Keeps cookies and follows nothing by itself."""

    client: httpx.Client

    def get(self, path: str = "") -> httpx.Response:
        """Of the page."""
        return self.client.get(f"/operator{path}")

    def post(self, path: str, form: str | None = None, headers: dict[str, str] = OWN) -> httpx.Response:
        """A form that says of which session it is."""
        return self.client.post(f"/operator{path}", data={"form": form or "", "other": ""}, headers=headers)

    def log_in(self, token: str, headers: dict[str, str] = OWN) -> httpx.Response:
        """With the form."""
        return self.client.post("/operator/login", data={"token": token}, headers=headers)

    def form(self) -> str:
        """What this session's forms send along."""
        found = re.search(r'name="form" value="([0-9a-f]{64})"', self.get().text)
        assert found is not None
        return found[1]
