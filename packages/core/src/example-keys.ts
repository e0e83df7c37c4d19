/**
 * Key ids of the private keys in `keys-example/`, which everybody has. A lane that was not made from them refuses them.
 * Written by `keys-example/make.mjs`; a test compares both.
 */
export const EXAMPLE_KEY_IDS: ReadonlySet<string> = new Set([
  '0cdbca15edae9c2fee5fc7c992f5e6483c6fbafd79f3be172fa4915616272b27', // root-1
  '53656edac2f8419b9af36443ae110921e7b50c6904a518e14d031a087a24ea9c', // root-2
  'fbaf9224d9ce6636ec0dcb18394f190ed8b8eaf613b91ace45b27950b2f0a953', // root-3
  '420208296311b8e43a99a3011c7c02b45940f92e7f5ed516756b325af948f5b0', // targets-1
  '93241673b3f8a3d7eea073a9407ad6af7d39920eae1df39ef3650ce885d7c867', // targets-2
  '0bb5d3e6dd63d608d59c56b7ac4edf72fb6017ee84b66c57c7c14be19f39def1', // dev
  '9fc2384175870e30fb624c9c507ba11de76f0699179572a992457f2c5800c7bd', // edge-preprod
  '5fd0f5905590cb7af931b6dffd287433d7f7c7e4fd7a844842683327ad8009c9', // prod
  '7ca0942e5cbb9464153ba6189080fd3e741567954564a511e7ea5b35611cc8db', // snapshot
  '0b52e12655528cc6f343a48e318481317cd1d0b0d8ee673c4fc931820c333642', // timestamp
  'ea19c585638baa96d58ce21d4fd55848efccca8c6d5bc576a5f1c495e2670b8c', // author
  '5da65e4320aca399e8bae36ed2097ca3801740c3d8e3028750d0eede2a7aaa6f', // builder
  '363a8d4123294121a50c1f08f32d42965119a6e9ebb23a2e655beb3ecfc10ce1', // lab
  '862d42a7d28883310e022a5acfb1bda7aaf7ce13a05f1b1f8a0cffbd3e626cc1', // alice
  '38d2a039c3eca69f16ca80f4fc92976cf46b73ada055f59f937a6a0dcac5afbb', // bob
  '4ae75a8858150c7dfe8103a788da8cdb2449ce808868224bab1954cc13d34f36', // registrar
  '4a28768792601abed40126af52c69f5cc249b5bc45808da1bd282c92c288ee60', // log
  'db03dc98151f52b2cddd670c4afc8d7779949da05cd7a1f0e414d55458184c3b', // witness
]);
