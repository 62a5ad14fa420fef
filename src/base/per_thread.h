// Gives every thread an object of its own.
#pragma once

#include <pthread.h>

#include <memory>
#include <new>

namespace fp8q {

// Holds a T for each thread, which is made when the thread first asks for it and goes with the
// thread. It takes the place of thread_local for types with destructors: where there is no memory
// to register one, libc ends the program. It must be static, because it never goes itself.
template <typename T>
class PerThread {
 public:
  // Throws std::bad_alloc if the system has no more memory or keys.
  PerThread() {
    const auto destroy = [](void* object) { delete static_cast<T*>(object); };
    if (pthread_key_create(&key_, destroy) != 0) throw std::bad_alloc();
  }

  // Throws std::bad_alloc if there is no memory for it.
  T& own() const {
    if (void* object = pthread_getspecific(key_)) return *static_cast<T*>(object);
    auto made = std::make_unique<T>();
    if (pthread_setspecific(key_, made.get()) != 0) throw std::bad_alloc();
    return *made.release();
  }

 private:
  pthread_key_t key_;
};

}  // namespace fp8q
