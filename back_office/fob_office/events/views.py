"""The audit log as an operator sees it."""

from pydantic import BaseModel, ConfigDict, Field


class EventView(BaseModel):
    """One line. `time` is seconds since 1970."""

    model_config = ConfigDict(from_attributes=True)

    id: int = Field(examples=[1])
    time: int
    who: str = Field(examples=["operator"])
    what: str = Field(examples=["server added"])
    about: str = Field(examples=["registration"])
