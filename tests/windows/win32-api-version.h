// Cap'n Proto 0.9.2 includes this file of its own on Windows, but its source archive lacks it.
#pragma once
#define WIN32_LEAN_AND_MEAN 1
#define NOSERVICE 1
#define NOMCX 1
#define NOIME 1
