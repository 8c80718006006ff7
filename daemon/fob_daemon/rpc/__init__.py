"""The provider socket: the server side of the p11-kit RPC protocol; `p11-kit-client.so` is the PKCS#11 module."""
