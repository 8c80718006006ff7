"""The one table of calls: id, name, signatures of request and reply, handler, the version that introduced it.

1 to 65 are PKCS#11 v2.40, 66 to 87 its v3.0, 88 and 89 are p11-kit's own replacements of two calls. A call without a
handler is known and not offered. C_Initialize and C_Finalize begin and end the application, see dispatch.py.
"""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Final

from fob_daemon.rpc import crypto_handlers as crypto
from fob_daemon.rpc import general_handlers as general
from fob_daemon.rpc.signatures import RequestDecoder, message_head

ERROR_ID: Final = 0
INITIALIZE: Final = 1
FINALIZE: Final = 2
WAIT_FOR_SLOT_EVENT: Final = 65


@dataclass(frozen=True, slots=True)
class Call:
    """One row of the table; as it stands here, a call that is not offered."""

    id: int
    name: str
    request: str
    reply: str
    decoder: RequestDecoder = field(init=False)
    reply_head: bytes = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "decoder", RequestDecoder(self.id, self.request))
        object.__setattr__(self, "reply_head", message_head(self.id, self.reply))


@dataclass(frozen=True, slots=True)
class PromptCall(Call):
    """A call that is answered at once; `handler` takes the application and the arguments, and encodes the results."""

    handler: Callable[..., bytes]
    minimum_version: int = 0


@dataclass(frozen=True, slots=True)
class WaitingCall(Call):
    """A call that may have to wait for the phone."""

    handler: Callable[..., Coroutine[object, object, bytes]]
    minimum_version: int = 0


_TABLE = (
    Call(INITIALIZE, "C_Initialize", "ayyay", ""),
    Call(FINALIZE, "C_Finalize", "", ""),
    PromptCall(3, "C_GetInfo", "", "vsusv", general.get_info),
    PromptCall(4, "C_GetSlotList", "yfu", "au", general.get_slot_list),
    PromptCall(5, "C_GetSlotInfo", "u", "ssuvv", general.get_slot_info),
    PromptCall(6, "C_GetTokenInfo", "u", "ssssuuuuuuuuuuuvvs", general.get_token_info),
    PromptCall(7, "C_GetMechanismList", "ufu", "au", general.get_mechanism_list),
    PromptCall(8, "C_GetMechanismInfo", "uu", "uuu", general.get_mechanism_info),
    WaitingCall(9, "C_InitToken", "uayz", "", general.init_token),
    PromptCall(10, "C_OpenSession", "uu", "u", general.open_session),
    PromptCall(11, "C_CloseSession", "u", "", general.close_session),
    PromptCall(12, "C_CloseAllSessions", "u", "", general.close_all_sessions),
    PromptCall(13, "C_GetSessionInfo", "u", "uuuu", general.get_session_info),
    WaitingCall(14, "C_InitPIN", "uay", "", general.init_pin),
    WaitingCall(15, "C_SetPIN", "uayay", "", general.set_pin),
    Call(16, "C_GetOperationState", "ufy", "ay"),
    Call(17, "C_SetOperationState", "uayuu", ""),
    WaitingCall(18, "C_Login", "uuay", "", general.login),
    WaitingCall(19, "C_Logout", "u", "", general.logout),
    WaitingCall(20, "C_CreateObject", "uaA", "u", general.create_object),
    WaitingCall(21, "C_CopyObject", "uuaA", "u", general.copy_object),
    WaitingCall(22, "C_DestroyObject", "uu", "", general.destroy_object),
    PromptCall(23, "C_GetObjectSize", "uu", "u", general.get_object_size),
    WaitingCall(24, "C_GetAttributeValue", "uufA", "aAu", general.get_attribute_value),
    WaitingCall(25, "C_SetAttributeValue", "uuaA", "", general.set_attribute_value),
    PromptCall(26, "C_FindObjectsInit", "uaA", "", general.find_objects_init),
    PromptCall(27, "C_FindObjects", "ufu", "au", general.find_objects),
    PromptCall(28, "C_FindObjectsFinal", "u", "", general.find_objects_final),
    PromptCall(29, "C_EncryptInit", "uMu", "", crypto.encrypt_init),
    WaitingCall(30, "C_Encrypt", "uayfy", "ay", crypto.encrypt),
    WaitingCall(31, "C_EncryptUpdate", "uayfy", "ay", crypto.encrypt_update),
    WaitingCall(32, "C_EncryptFinal", "ufy", "ay", crypto.encrypt_final),
    PromptCall(33, "C_DecryptInit", "uMu", "", crypto.decrypt_init),
    WaitingCall(34, "C_Decrypt", "uayfy", "ay", crypto.decrypt),
    WaitingCall(35, "C_DecryptUpdate", "uayfy", "ay", crypto.decrypt_update),
    WaitingCall(36, "C_DecryptFinal", "ufy", "ay", crypto.decrypt_final),
    PromptCall(37, "C_DigestInit", "uM", "", crypto.digest_init),
    WaitingCall(38, "C_Digest", "uayfy", "ay", crypto.digest),
    WaitingCall(39, "C_DigestUpdate", "uay", "", crypto.digest_update),
    PromptCall(40, "C_DigestKey", "uu", "", crypto.digest_key),
    PromptCall(41, "C_DigestFinal", "ufy", "ay", crypto.digest_final),
    PromptCall(42, "C_SignInit", "uMu", "", crypto.sign_init),
    WaitingCall(43, "C_Sign", "uayfy", "ay", crypto.sign),
    WaitingCall(44, "C_SignUpdate", "uay", "", crypto.sign_update),
    WaitingCall(45, "C_SignFinal", "ufy", "ay", crypto.sign_final),
    Call(46, "C_SignRecoverInit", "uMu", ""),
    Call(47, "C_SignRecover", "uayfy", "ay"),
    PromptCall(48, "C_VerifyInit", "uMu", "", crypto.verify_init),
    WaitingCall(49, "C_Verify", "uayay", "", crypto.verify),
    WaitingCall(50, "C_VerifyUpdate", "uay", "", crypto.verify_update),
    WaitingCall(51, "C_VerifyFinal", "uay", "", crypto.verify_final),
    Call(52, "C_VerifyRecoverInit", "uMu", ""),
    Call(53, "C_VerifyRecover", "uayfy", "ay"),
    Call(54, "C_DigestEncryptUpdate", "uayfy", "ay"),
    Call(55, "C_DecryptDigestUpdate", "uayfy", "ay"),
    Call(56, "C_SignEncryptUpdate", "uayfy", "ay"),
    Call(57, "C_DecryptVerifyUpdate", "uayfy", "ay"),
    WaitingCall(58, "C_GenerateKey", "uMaA", "u", crypto.generate_key),
    WaitingCall(59, "C_GenerateKeyPair", "uMaAaA", "uu", crypto.generate_key_pair),
    WaitingCall(60, "C_WrapKey", "uMuufy", "ay", crypto.wrap_key),
    WaitingCall(61, "C_UnwrapKey", "uMuayaA", "u", crypto.unwrap_key),
    WaitingCall(62, "C_DeriveKey", "uMuaA", "u", crypto.derive_key),
    PromptCall(63, "C_SeedRandom", "uay", "", general.seed_random),
    WaitingCall(64, "C_GenerateRandom", "ufy", "ay", general.generate_random),
    WaitingCall(WAIT_FOR_SLOT_EVENT, "C_WaitForSlotEvent", "u", "u", general.wait_for_slot_event),
    WaitingCall(66, "C_LoginUser", "uuayay", "", general.login_user),
    PromptCall(67, "C_SessionCancel", "uu", "", general.session_cancel),
    Call(68, "C_MessageEncryptInit", "uMu", ""),
    Call(69, "C_EncryptMessage", "uayayayfy", "ay"),
    Call(70, "C_EncryptMessageBegin", "uayay", ""),
    Call(71, "C_EncryptMessageNext", "uayayfyu", "ay"),
    Call(72, "C_MessageEncryptFinal", "u", ""),
    Call(73, "C_MessageDecryptInit", "uMu", ""),
    Call(74, "C_DecryptMessage", "uayayayfy", "ay"),
    Call(75, "C_DecryptMessageBegin", "uayay", ""),
    Call(76, "C_DecryptMessageNext", "uayayfyu", "ay"),
    Call(77, "C_MessageDecryptFinal", "u", ""),
    Call(78, "C_MessageSignInit", "uMu", ""),
    Call(79, "C_SignMessage", "uayayfy", "ay"),
    Call(80, "C_SignMessageBegin", "uay", ""),
    Call(81, "C_SignMessageNext", "uayayyfy", "ay"),
    Call(82, "C_MessageSignFinal", "u", ""),
    Call(83, "C_MessageVerifyInit", "uMu", ""),
    Call(84, "C_VerifyMessage", "uayayay", ""),
    Call(85, "C_VerifyMessageBegin", "uay", ""),
    Call(86, "C_VerifyMessageNext", "uayayay", ""),
    Call(87, "C_MessageVerifyFinal", "u", ""),
    WaitingCall(88, "C_InitToken2", "uays", "", general.init_token, minimum_version=1),
    WaitingCall(89, "C_DeriveKey2", "uMuaA", "uPu", crypto.derive_key_2, minimum_version=2),
)

CALLS: Final = {call.id: call for call in _TABLE}
