#pragma once
// PLUMB_RESERVES_ADDRESSES is defined where a sanitizer's shadow memory is larger than any limit on address space.

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define PLUMB_RESERVES_ADDRESSES 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define PLUMB_RESERVES_ADDRESSES 1
#endif
#endif
