// a platform conditional
#if defined(_WIN32)
#endif
