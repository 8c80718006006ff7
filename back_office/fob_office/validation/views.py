"""The usage log and clone proofs as an operator sees them: integrity values, and never an identifier (V13, V19)."""

from pydantic import BaseModel, Field

from fob_office.components.versions import unpack
from fob_office.office import Office
from fob_office.validation.log import Line, integrity_value_of
from fob_office.words import Base64, Hex16, Hex32
from fob_protocol.cose.headers import key_id
from fob_protocol.office.component import words


class ValidationView(BaseModel):
    """One request. `time` is seconds since 1970."""

    id: int = Field(examples=[1])
    time: int
    number: Hex16 = Field(description="Of the copy.")
    program: str = Field(examples=["postage-rates"])
    version: str = Field(examples=["1.0.0"])
    holder: Hex16 = Field(description="Key id of who signed.")
    request: int = Field(description="PSI.", examples=[1])
    result: str = Field(description="`valid`, the state of a verdict, or the code of a refusal.", examples=["valid"])
    integrity_value: Hex32 = Field(description="ICV, as its holder told it.")


class ProofView(BaseModel):
    """Whoever has the validation server's public key can check it."""

    proof: Base64


def validation_view(office: Office, line: Line) -> ValidationView:
    """One line. Raises UnsealError."""
    validation, copy = line.validation, line.copy
    return ValidationView(
        id=validation.id, time=validation.time, number=copy.number.hex(), program=copy.program,
        version=words(unpack(copy.version)), holder=key_id(line.key).hex(), request=validation.program_number,
        result=validation.result, integrity_value=integrity_value_of(office, validation).hex(),
    )  # fmt: skip
