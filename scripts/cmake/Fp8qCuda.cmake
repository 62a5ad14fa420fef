# GPU code is compiled if there is a CUDA toolkit; compiling needs no GPU.

option(FP8Q_CUDA "Build the GPU engine; OFF where there is no CUDA toolkit" ON)
set(FP8Q_CUDA_ARCHITECTURES native CACHE STRING
  "GPUs to compile kernels for: native (the one in this machine, Hopper where there is none), all (Ampere, Ada, Hopper, and
  PTX that drivers of later GPUs compile; for packages), or a list as CMAKE_CUDA_ARCHITECTURES takes it")

# Returns the compute capability of the GPU in this machine as an architecture such as "90a-real",
# or Hopper's if there is no GPU.
function(fp8q_native_architecture result)
  execute_process(COMMAND nvidia-smi --query-gpu=compute_cap --format=csv,noheader
    OUTPUT_VARIABLE capabilities ERROR_QUIET RESULT_VARIABLE failed)
  if(NOT failed AND capabilities MATCHES "^([0-9]+)\\.([0-9]+)")
    set(architecture ${CMAKE_MATCH_1}${CMAKE_MATCH_2})
  else()
    set(architecture 90)
  endif()
  if(architecture EQUAL 90)
    set(architecture 90a)  # includes the instructions that only Hopper has
  endif()
  set(${result} ${architecture}-real PARENT_SCOPE)
endfunction()

if(FP8Q_CUDA)
  find_package(CUDAToolkit 13 QUIET)
  if(CUDAToolkit_FOUND)
    if(NOT CMAKE_CUDA_COMPILER)
      set(CMAKE_CUDA_COMPILER ${CUDAToolkit_NVCC_EXECUTABLE})
    endif()
    if(FP8Q_CUDA_ARCHITECTURES STREQUAL "native")
      fp8q_native_architecture(CMAKE_CUDA_ARCHITECTURES)
    elseif(FP8Q_CUDA_ARCHITECTURES STREQUAL "all")
      set(CMAKE_CUDA_ARCHITECTURES 80-real 89-real 90a-real 90-virtual)
    else()
      set(CMAKE_CUDA_ARCHITECTURES ${FP8Q_CUDA_ARCHITECTURES})
    endif()
    enable_language(CUDA)
    message(STATUS "GPU code for ${CMAKE_CUDA_ARCHITECTURES}")
    if(NOT CMAKE_CUDA20_STANDARD_COMPILE_OPTION)  # CMake 3.25 does not know that nvcc has it
      set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION -std=c++20)
      set(CMAKE_CUDA20_EXTENSION_COMPILE_OPTION -std=c++20)
    endif()
  else()
    message(STATUS "no CUDA toolkit 13: building without the GPU engine")
    set(FP8Q_CUDA OFF)
  endif()
endif()
