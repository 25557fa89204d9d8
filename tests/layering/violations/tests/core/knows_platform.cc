// a platform conditional
  #  ifndef __linux__
  #  endif
